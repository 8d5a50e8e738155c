// The routes, each a part of its own; who may not see a screen is sent to his own first one.
import { createRouter, createWebHistory } from 'vue-router'
import type { Role } from './api/types'
import { can, homeOf, session } from './state/session'

declare module 'vue-router' {
  interface RouteMeta { open?: boolean; bare?: boolean; roles?: Role[]; right?: string; rights?: string[] }
}

const STAFF: Role[] = ['staff', 'admin', 'shift_leader', 'acceptor']
const BENCH: Role[] = [...STAFF, 'dispatcher', 'engineer']

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', redirect: () => homeOf(session.value?.role) },
    { path: '/sign-in', component: () => import('./screens/SignIn.vue'), meta: { open: true } },
    { path: '/password', component: () => import('./screens/PasswordChange.vue') },
    { path: '/desk/:id?', component: () => import('./screens/desk/DeskScreen.vue'), meta: { roles: STAFF } },
    { path: '/cases/new', component: () => import('./screens/cases/ReportForm.vue'), meta: { roles: [...STAFF, 'collector'] } },
    { path: '/cases/:id?', component: () => import('./screens/cases/CasesScreen.vue') },
    { path: '/supervision/:tab?/:id?', component: () => import('./screens/supervision/SupervisionScreen.vue'), meta: { right: 'see_letters' } },
    { path: '/whistles/:id?', component: () => import('./screens/whistles/WhistlesScreen.vue'), meta: { right: 'see_whistles' } },
    { path: '/reports/cases', component: () => import('./screens/reports/ReportCases.vue'), beforeEnter: (to) => (to.query.counter && to.query.period ? true : '/reports'), meta: { right: 'see_reports' } },
    { path: '/reports/:kind?/:period?', component: () => import('./screens/reports/ReportsScreen.vue'), meta: { right: 'see_reports' } },
    { path: '/map', component: () => import('./screens/map/MapScreen.vue') },
    { path: '/wall', component: () => import('./screens/wall/WallScreen.vue'), meta: { right: 'see_live', bare: true } },
    { path: '/cameras', component: () => import('./screens/devices/CamerasScreen.vue'), meta: { roles: BENCH } },
    { path: '/cameras/:id/zones', component: () => import('./screens/zones/ZoneEditor.vue'), meta: { roles: BENCH } },
    {
      path: '/sensors', component: () => import('./screens/devices/SensorsFrame.vue'), meta: { roles: BENCH }, redirect: (to) => ({ path: '/sensors/all', query: to.query }),
      children: [
        { path: 'all', component: () => import('./screens/devices/SensorsScreen.vue') },
        { path: 'all/:id', component: () => import('./screens/devices/SensorPage.vue') },
        { path: 'quarantine', component: () => import('./screens/devices/QuarantinePage.vue') },
        { path: 'mappings', component: () => import('./screens/devices/MappingsPage.vue') },
        { path: 'links', component: () => import('./screens/devices/LinksPage.vue') },
      ],
    },
    {
      path: '/bench', component: () => import('./screens/bench/BenchScreen.vue'), meta: { roles: BENCH }, redirect: '/bench/kinds',
      children: [
        { path: 'kinds', component: () => import('./screens/bench/KindsPage.vue') },
        { path: 'precision', component: () => import('./screens/bench/PrecisionPage.vue') },
        { path: 'models', component: () => import('./screens/bench/ModelsPage.vue') },
        { path: 'dataset', component: () => import('./screens/bench/DatasetPage.vue') },
      ],
    },
    {
      path: '/rules', component: () => import('./screens/rules/RulesScreen.vue'), meta: { roles: BENCH }, redirect: '/rules/conditions',
      children: [
        { path: 'conditions', component: () => import('./screens/rules/ConditionsPage.vue') },
        { path: 'grid', component: () => import('./screens/rules/GridPage.vue') },
        { path: 'units', component: () => import('./screens/rules/UnitsPage.vue') },
      ],
    },
    {
      path: '/admin', component: () => import('./screens/admin/AdminFrame.vue'), meta: { rights: ['see_users', 'see_audit'] }, redirect: () => (can('see_users') ? '/admin/people' : '/admin/audit'),
      children: [
        { path: 'people', component: () => import('./screens/admin/PeoplePage.vue'), meta: { right: 'see_users' } },
        { path: 'audit', component: () => import('./screens/admin/AuditPage.vue'), meta: { right: 'see_audit' } },
        { path: 'keeping', component: () => import('./screens/admin/KeepingPage.vue') },
      ],
    },
    { path: '/:rest(.*)*', redirect: '/' },
  ],
})

router.beforeEach((to) => {
  if (to.meta.open) return session.value ? homeOf(session.value.role) : true
  if (!session.value) return { path: '/sign-in', query: to.fullPath === '/' || to.fullPath === '/desk' ? {} : { next: to.fullPath } }
  if (session.value.must_change_password && to.path !== '/password') return '/password'
  if (to.meta.roles && !to.meta.roles.includes(session.value.role)) return homeOf(session.value.role)
  if (to.meta.rights && !to.meta.rights.some(can)) return homeOf(session.value.role)
  if (to.meta.right && !can(to.meta.right)) return homeOf(session.value.role)
  return true
})
